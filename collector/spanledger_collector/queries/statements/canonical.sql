-- The statement as the engine understands it: one statement, no comments. Refused if there are several.
select formatQuerySingleLine({statement:String}) as canonical
