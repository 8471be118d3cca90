curl -G https://api.spot-thought.com/screener-sessions \
  -H "X-Spot-Api-Key: acct_123" \
  -H "X-Spot-Api-Secret: sk_live_abcd" \
  -H "X-Spot-Api-Version: 1.0.0" \
  --data-urlencode "filter[screenerId][eq]=scr_123" \
  --data-urlencode "pagination[limit]=25" \
  --data-urlencode "pagination[offset]=0"
