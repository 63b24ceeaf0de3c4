"""Alert rules, evaluated each minute, and their delivery: what on-call is told, by whom, and that it is not lost on the way."""
