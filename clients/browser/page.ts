// A page of another origin that calls the server over gRPC-Web, against the example data of
// `screenerd serve --demo`. Its query is the server's URL: /?http://127.0.0.1:8080

import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';

import { BadRequestSchema, ErrorInfoSchema } from './gen/google/rpc/error_details_pb.js';
import { ScreenerSessionService } from './gen/screener/v1/screener_session_service_pb.js';

// The example data's token. Never put a real token into a page: its visitors can read it.
const headers = { authorization: 'Bearer sdk_demo_acct_123' };
const transport = createGrpcWebTransport({ baseUrl: location.search.slice(1) });
const sessions = createClient(ScreenerSessionService, transport);

function show(text: string) {
  const item = document.createElement('li');
  item.textContent = text;
  document.querySelector('ul')!.append(item);
}

/** Shows a refusal with its details, or the reason why the call failed. */
function showError(error: unknown) {
  if (!(error instanceof ConnectError)) throw error;
  const [info] = error.findDetails(ErrorInfoSchema);
  show(`${Code[error.code]}: ${info ? info.reason : error.rawMessage}`);
  for (const { field, description } of error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? []) {
    show(`${field}: ${description}`);
  }
}

async function call(request: Parameters<typeof sessions.listScreenerSessions>[0]) {
  try {
    const { items, total } = await sessions.listScreenerSessions(request, { headers });
    for (const session of items) show(session.id);
    show(`${items.length} of ${total}`);
  } catch (error) {
    showError(error);
  }
}

await call({ filter: { screenerId: { eq: 'scr_124' } }, pagination: { limit: 2 } });
await call({ pagination: { limit: 0, offset: -1 } });
try {
  await sessions.getScreenerSession({ id: 'scses_none' }, { headers });
} catch (error) {
  showError(error);
}
document.body.dataset.done = 'yes';
