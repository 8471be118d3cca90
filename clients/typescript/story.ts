// A client in TypeScript with Connect, against the example data of `screenerd serve --demo`.
//
// node story.js 127.0.0.1:8080 grpc|grpc-web|connect

import { equals } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';

import { BadRequestSchema, ErrorInfoSchema } from './gen/google/rpc/error_details_pb.js';
import { Health, HealthCheckResponse_ServingStatus } from './gen/grpc/health/v1/health_pb.js';
import { PanelistService } from './gen/screener/v1/panelist_service_pb.js';
import { PanelistSessionService } from './gen/screener/v1/panelist_session_service_pb.js';
import { ScreenerSessionState } from './gen/screener/v1/screener_session_pb.js';
import { ScreenerSessionService } from './gen/screener/v1/screener_session_service_pb.js';
import { SubmissionSchema } from './gen/screener/v1/submission_pb.js';
import { SubmissionService } from './gen/screener/v1/submission_service_pb.js';

// The service token of the example data. It authorizes every call except a panelist's own.
const key = { authorization: 'Bearer sdk_demo_acct_123' };

async function read(transport: Transport) {
  const sessions = createClient(ScreenerSessionService, transport);
  const wanted = ['scses_790', 'scses_792', 'scses_793', 'scses_none'];
  const filter = { screenerId: { eq: 'scr_124' }, id: { in: { values: wanted } } };
  // The server may lower the limit, so advance by the number of items received.
  const ids: string[] = [];
  let pages = 0;
  let total: number;
  do {
    const pagination = { limit: 2, offset: ids.length };
    const page = await sessions.listScreenerSessions({ filter, pagination }, { headers: key });
    ids.push(...page.items.map((session) => session.id));
    pages += 1;
    total = page.items.length > 0 ? (page.total ?? 0) : ids.length;
  } while (ids.length < total);
  console.log(`sessions: ${ids.join(', ')} (${total} in ${pages} pages)`);

  const { screenerSession: session } = await sessions.getScreenerSession(
    { id: 'scses_790' },
    { headers: key },
  );
  // An unset time is undefined.
  const completed = session?.completedAt && timestampDate(session.completedAt).toISOString();
  console.log(`session: ${session?.id}, completed at ${completed?.replace('.000Z', 'Z')}`);
}

async function answer(transport: Transport) {
  const { panelistAccess } = await createClient(PanelistService, transport).getPanelistAccess(
    { surveyId: 'survey-123', panelistId: 'customer-456' },
    { headers: key },
  );
  const panelist = panelistAccess!.panelist!;
  const can = panelist.canRespond ? 'can respond' : 'cannot respond';
  const active = panelist.activityStartedAt ? 'active' : 'never active';
  console.log(`panelist: customer-456 ${can}, ${active} before`);

  // The participant gets the panelist key, the only credential of these calls.
  const submitted = await createClient(PanelistSessionService, transport).submitAnswers(
    {
      answers: { scq_satisfaction: { value: { case: 'number', value: 4 } } },
      isFinal: true,
      // An id of your choice makes a repeated call idempotent.
      requestId: 'customer-456-first',
    },
    { headers: { authorization: panelist.publicKey } },
  );
  const done = submitted.state === ScreenerSessionState.COMPLETED;
  console.log(`answered: ${done ? 'completed' : 'in progress'}`);
}

async function reject(transport: Transport) {
  const submissions = createClient(SubmissionService, transport);
  const message = 'The answers contradict each other.';
  const request = { projectId: 'proj_123', id: 'scses_790', message };
  const { submission } = await submissions.rejectSubmission(request, { headers: key });
  console.log(`rejected: ${submission?.rejection?.message}`);
  const again = (await submissions.rejectSubmission(request, { headers: key })).submission;
  const same = equals(SubmissionSchema, submission!, again!);
  console.log(`rejected again: ${same ? 'nothing' : 'something'} changed`);
}

async function refused(transport: Transport) {
  const sessions = createClient(ScreenerSessionService, transport);
  // The reason is stable; the message is for people.
  const reason = (error: ConnectError) => error.findDetails(ErrorInfoSchema)[0]?.reason;
  try {
    await sessions.getScreenerSession({ id: 'scses_none' }, { headers: key });
  } catch (error) {
    if (!(error instanceof ConnectError && error.code === Code.NotFound)) throw error;
    console.log(`not found: ${reason(error)}`);
  }
  try {
    await sessions.getScreenerSession({ id: 'scses_none' });
  } catch (error) {
    if (!(error instanceof ConnectError && error.code === Code.Unauthenticated)) throw error;
    console.log(`no key: ${reason(error)}`);
  }
  try {
    await sessions.listScreenerSessions(
      { pagination: { limit: 0, offset: -1 } },
      { headers: key },
    );
  } catch (error) {
    if (!(error instanceof ConnectError && error.code === Code.InvalidArgument)) throw error;
    for (const violation of error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? []) {
      console.log(`invalid: ${violation.field}: ${violation.description}`);
    }
  }
}

async function watch(transport: Transport) {
  // The server ends this stream only at shutdown, so the deadline ends it.
  try {
    for await (const health of createClient(Health, transport).watch({}, { timeoutMs: 2000 })) {
      const serving = health.status === HealthCheckResponse_ServingStatus.SERVING;
      console.log(`watch: ${serving ? 'serving' : 'not serving'}`);
    }
  } catch (error) {
    if (!(error instanceof ConnectError && error.code === Code.DeadlineExceeded)) throw error;
    console.log('deadline: exceeded');
  }
}

// Returns the transport of a protocol, with a default deadline for every call.
function transportOf(protocol: string | undefined, baseUrl: string): Transport {
  const defaultTimeoutMs = 5000;
  switch (protocol) {
    case 'grpc':
      return createGrpcTransport({ baseUrl, defaultTimeoutMs });
    case 'grpc-web':
      return createGrpcWebTransport({ baseUrl, httpVersion: '1.1', defaultTimeoutMs });
    case 'connect':
      return createConnectTransport({ baseUrl, httpVersion: '1.1', defaultTimeoutMs });
    default:
      throw new Error('usage: node story.js ADDRESS grpc|grpc-web|connect');
  }
}

const transport = transportOf(process.argv[3], `http://${process.argv[2]}`);
await read(transport);
await answer(transport);
await reject(transport);
await refused(transport);
await watch(transport);
