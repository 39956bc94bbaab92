"""HTML, figures and words for people: pure functions of the evidence.

Floor 4. Nothing here computes a statistic. `html.render_html`, `json.render_json`, `plots.render_figure`, `terminal`, `verdict`.
"""
