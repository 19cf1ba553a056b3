"""Interest models: what each customer and visitor is interested in, how much, and since when.

Pages and terms that people have viewed and looked for are counted by day (`behaviour`); these, orders, feedback and
the catalogue give weights of categories, items and tags (`interests`); what people say themselves stands beside them
(`subscriptions`).
"""
