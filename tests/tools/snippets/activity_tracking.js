const { panelist } = await response.json();
console.log(`First activity: ${new Date(panelist.activityStartedUnixTs * 1000)}`);
console.log(`Last activity: ${new Date(panelist.activityMostRecentUnixTs * 1000)}`);
console.log(`Sessions: ${panelist.sessionCount}`);
