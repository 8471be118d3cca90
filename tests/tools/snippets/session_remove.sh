curl https://api.spot-thought.com/screener-sessions/scses_789 \
  -X DELETE \
  -H "X-Spot-Api-Key: acct_123" \
  -H "X-Spot-Api-Secret: sk_live_abcd" \
  -H "X-Spot-Api-Version: 1.0.0"
