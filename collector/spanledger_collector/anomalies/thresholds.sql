-- A preset's thresholds, the owner's first; one below 0 was taken back.
select rule, argMax(threshold, origin = 'user') as fires_above from anomaly_thresholds final where preset = {preset:String} and threshold >= 0 group by rule
