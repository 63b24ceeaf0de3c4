-- One row: the moment from which costs are asked for, in seconds since 1970, and as the reporting zone's clocks show it. Further back than
-- the rollup of minutes reaches, it is the start of its hour. {local} is a time of the zone, and beats {unix} where it is given.
select toUnixTimestamp(start) as since, formatDateTime(start, '%F %R', {zone:String}) as shown
from (
  select if(asked > now('UTC') - interval 1 hour, asked, toDateTime(toStartOfHour(asked, {zone:String}), 'UTC')) as start
  from (
    select if({local:String} = '', toDateTime({unix:Int64}, 'UTC'), toDateTime(parseDateTimeBestEffortOrZero({local:String}, {zone:String}), 'UTC')) as asked))
