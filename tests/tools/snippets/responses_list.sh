curl -G https://api.spot-thought.com/screener-responses \
  -H "X-Spot-Api-Key: acct_123" \
  -H "X-Spot-Api-Secret: sk_live_abcd" \
  -H "X-Spot-Api-Version: 1.0.0" \
  --data-urlencode "filter[screenerId][eq]=scr_123" \
  --data-urlencode "filter[screenerSessionId][in][]=scses_789" \
  --data-urlencode "pagination[limit]=100"
