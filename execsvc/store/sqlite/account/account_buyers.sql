-- Which bots have bought which coin, found without a look at every order. Younger than the journal's first version.
CREATE INDEX IF NOT EXISTS intent_buyers ON intent (symbol, bot_id) WHERE side = 'buy' AND short = 0;
