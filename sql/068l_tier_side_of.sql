-- On which side of the standard price a context lies that the book has no price for: cheaper (a batch, flex), dearer (priority, fast), or
-- empty: nobody knows. Then the standard price is an upper bound, a lower bound, or none.
create or replace function {db}_tier_side_of {on_cluster} as (price_context) ->
  multiIf(
    match(price_context, '^((processing=batch|service_tier=(flex|batch))(,|$))+$'), 'cheaper',
    match(price_context, '^((service_tier=(priority|fast)|speed=fast)(,|$))+$'), 'dearer',
    '');
