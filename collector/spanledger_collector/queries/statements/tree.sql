-- The whole syntax tree of one statement, in JSON. Parses and does nothing else.
select parseQueryToJSON({statement:String}) as tree
