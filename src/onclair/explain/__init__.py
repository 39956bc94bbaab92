"""What moved an answer: signed contributions of features to one patient's risk.

Floor 2. It explains predictions it is handed; it trains nothing.
"""
