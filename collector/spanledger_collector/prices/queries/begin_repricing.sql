-- Notes when it was first looked at which calls a book prices otherwise: what comes after that is not among them.
insert into repriced_minutes (book, minute) select {book:UInt32} as book, toDateTime(0, 'UTC') as minute
