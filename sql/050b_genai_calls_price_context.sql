-- What the price depends on besides the model is a fact of the call: the tier of its response, and whether it was a batch, fast, or of some
-- route. Rows from before this column have what their tier says.
alter table {db}.genai_calls
  modify column price_context LowCardinality(String) default multiIf(service_tier in ('', 'default', 'standard', 'standard_only', 'auto', 'on_demand'), '', service_tier = 'batch', 'processing=batch', concat('service_tier=', service_tier))
  comment 'What the price depends on besides the model, as key=value, sorted, joined by commas; empty: the standard price';
