-- mrd_class: a part of other queries, not one itself: the class of a sample at the threshold $x.
-- grain: none of its own
-- params: x, which becomes the parameter that is named
-- Without a threshold (null) it is that of the assay's own limit: detected is positive.
-- A result below a limit is negative only if that limit is at or below the threshold; otherwise it
-- is indeterminate. 'detected' is below quantification and never undetectable.
case
    when status <> 'sampled' then cast(status as varchar)
    when qualifier in ('failed', 'done') then 'not_evaluable'
    when $x is null and qualifier in ('detected', '>') then 'positive'
    when $x is null and qualifier = '='
        then if(coalesce(value >= lod, true), 'positive', 'indeterminate')
    when qualifier = '=' and value >= $x then 'positive'
    when qualifier = '=' and coalesce(loq, value) <= $x then 'negative'
    when qualifier = '<' and value <= coalesce($x, lod) then 'negative'
    when qualifier = 'undetectable' and lod <= coalesce($x, lod) then 'negative'
    when qualifier = 'detected' and loq <= $x then 'negative'
    when qualifier = '>' and value >= $x then 'positive'
    else 'indeterminate'
end
