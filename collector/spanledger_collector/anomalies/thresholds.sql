-- A preset's thresholds, the owner's first.
select rule, argMax(threshold, origin = 'user') as threshold from anomaly_thresholds final where preset = {preset:String} group by rule
