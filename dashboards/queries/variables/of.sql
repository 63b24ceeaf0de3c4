-- Values of a tag that made calls in the time range.
select if({tag} = '', '(untagged)', {tag}) as value from (select distinct {tag} from costs where $__timeFilter(bucket)) order by value
