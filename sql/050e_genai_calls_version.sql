-- A row's version orders deliveries of one span by what they know, and verdicts by time.
alter table {db}.genai_calls
  comment column version 'High bits: what this delivery of the span knows (facts_version); low 36 bits: 0 as delivered, else when the election judged it, in hundredths of a second since 2025';
