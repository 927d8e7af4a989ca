-- block scale: by which scales the events of each term were graded in each documented block.
-- grain: one row per line x documented block x term x scale; the table counts them
select distinct
    event.enrollment_key,
    event.line_number,
    event.block_code,
    event.term_code,
    event.scale_code
from fct_adverse_event as event
inner join fct_block as given using (enrollment_key, line_number, block_code)
where given.is_documented
