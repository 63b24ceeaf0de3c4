-- One row per preset and rule: the shipped threshold and the owner's.
select preset, rule, anyIf(threshold, origin != 'user') as shipped, anyOrNullIf(threshold, origin = 'user' and threshold >= 0) as own
from anomaly_thresholds final
group by preset, rule
order by rule, preset
