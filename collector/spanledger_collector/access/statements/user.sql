-- One user. Run again, it has the password that the file says now.
create user if not exists {user} {on_cluster} identified with sha256_hash by {hash} salt {salt};
alter user {user} {on_cluster} identified with sha256_hash by {hash} salt {salt}
