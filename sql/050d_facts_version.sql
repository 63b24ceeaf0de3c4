-- How much a delivery of a span knows, as the high bits of a row's version: the same span may come twice with other facts (a stream first
-- without its usage, a span exported while it was open, a span that is read again with better names), in any order, before or after it was
-- judged. From high to low: the number of the reading, how the usage is known, how many other facts there are, output tokens. The low 36
-- bits are left for the election, so that a verdict beats its own facts, and richer facts beat an older verdict and are judged anew.
create or replace function {db}_facts_version {on_cluster} as (generation, usage_state, details, output_tokens) ->
  bitShiftLeft(
    toUInt64(least(generation, 127)) * 2097152
      + transform(usage_state, ['notional', 'reported', 'unsplit', 'partial', 'estimated', 'failed_not_billed', 'failed_maybe_billed'], [7, 6, 5, 5, 4, 3, 3], 1) * 262144
      + least(length(arrayFilter(x -> x != 0, details)), 15) * 16384
      + least(output_tokens, 16383),
    36);
