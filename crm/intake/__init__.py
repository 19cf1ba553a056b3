"""Files of other systems -> rows of the workspace's own tables: which column is what, one way of writing, rules.

Pure functions over Polars frames; none of them knows files of the workspace or the command line.

    mapping = guess(frame.columns, CUSTOMER_FIELDS)
    rows = normalised(frame, mapping, CUSTOMER_FIELDS)
    broken = violations(rows.frame, rules, extras=mapping.extras)
    odd = suspects(rows.frame)
"""
