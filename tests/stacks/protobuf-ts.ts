// Tells the story with protobuf-ts over gRPC-Web, in the form that its transport chooses: text.
//
// node out/story.js ADDRESS

import { GrpcWebFetchTransport } from '@protobuf-ts/grpcweb-transport';
import { RpcError } from '@protobuf-ts/runtime-rpc';

import { BadRequest, ErrorInfo } from './gen/google/rpc/error_details';
import { Status } from './gen/google/rpc/status';
import { ScreenerResponseServiceClient } from './gen/screener/v1/screener_response_service.client';
import { ScreenerSessionState } from './gen/screener/v1/screener_session';
import { ScreenerSessionServiceClient } from './gen/screener/v1/screener_session_service.client';
import { SubmissionServiceClient } from './gen/screener/v1/submission_service.client';

const [address = ''] = process.argv.slice(2);
const transport = new GrpcWebFetchTransport({
  baseUrl: address,
  meta: { authorization: 'Bearer sdk_demo_acct_123' },
});

const sessions = new ScreenerSessionServiceClient(transport);
const { response: page } = await sessions.listScreenerSessions({ pagination: { limit: 2 } });
console.log('list:', ...page.items.map((session) => session.id), 'of', page.total.toString());
const { response: answer } = await sessions.getScreenerSession({ id: 'scses_789' });
const session = answer.screenerSession;
console.log('get:', session?.id, ScreenerSessionState[session?.state ?? 0]);

try {
  await new SubmissionServiceClient(transport).rejectSubmission({ projectId: 'proj_123', id: '' });
} catch (refused) {
  if (!(refused instanceof RpcError)) throw refused;
  const encoded = refused.meta['grpc-status-details-bin'] as string;
  const { details } = Status.fromBinary(Buffer.from(encoded, 'base64'));
  const named = new Map(details.map((it) => [it.typeUrl.split('/').at(-1), it.value]));
  const info = ErrorInfo.fromBinary(named.get('google.rpc.ErrorInfo') ?? new Uint8Array());
  const broken = BadRequest.fromBinary(named.get('google.rpc.BadRequest') ?? new Uint8Array());
  console.log('reject:', refused.code, info.reason, ...broken.fieldViolations.map((it) => it.field));
}

let answers = 0;
const responses = new ScreenerResponseServiceClient(transport);
for await (const part of responses.exportScreenerResponses({}).responses) {
  answers += part.items.length;
}
console.log('export:', answers, 'answers');
