const { panelist } = await response.json();
if (!panelist.canRespond) {
  // Don't show survey - already responded or survey closed
  return;
}
// Check if panelist dismissed recently (e.g., within 30 days)
if (panelist.dismissedMostRecentUnixTs) {
  const thirtyDaysAgo = Math.floor(Date.now() / 1000) - (30 * 24 * 60 * 60);
  if (panelist.dismissedMostRecentUnixTs > thirtyDaysAgo) {
    // Don't show survey - dismissed less than 30 days ago
    return;
  }
}
if (panelist.sessionCount > 0) {
  // Panelist has already started responding
  // You may want to limit repeated invitations
}
