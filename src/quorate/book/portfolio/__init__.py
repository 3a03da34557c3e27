"""From the weights of sleeves to target weights of the account."""
