// A client in TypeScript with @grpc/grpc-js, against the example data of `screenerd serve --demo`.
//
// node story.js 127.0.0.1:8080

import { isDeepStrictEqual } from 'node:util';

import {
  type CallOptions,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
  status as Code,
} from '@grpc/grpc-js';

import { BadRequest, ErrorInfo } from './gen/google/rpc/error_details.js';
import { Status } from './gen/google/rpc/status.js';
import { HealthCheckResponse, HealthCheckResponse_ServingStatus, HealthClient } from './gen/grpc/health/v1/health.js';
import { GetPanelistAccessRequest, PanelistServiceClient } from './gen/screener/v1/panelist_service.js';
import { PanelistSessionServiceClient, SubmitAnswersRequest } from './gen/screener/v1/panelist_session_service.js';
import { ScreenerSessionState } from './gen/screener/v1/screener_session.js';
import {
  GetScreenerSessionRequest,
  ListScreenerSessionsRequest,
  ScreenerSessionServiceClient,
} from './gen/screener/v1/screener_session_service.js';
import { RejectSubmissionRequest, SubmissionServiceClient } from './gen/screener/v1/submission_service.js';

// The service token of the example data. It authorizes every call except a panelist's own.
const key = new Metadata();
key.set('authorization', 'Bearer sdk_demo_acct_123');

type Method<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

// Makes a unary call with a deadline, as a promise.
function call<Request, Response>(
  client: object,
  method: Method<Request, Response>,
  request: Request,
  metadata: Metadata,
): Promise<Response> {
  const deadline = Date.now() + 5000;
  return new Promise((resolve, reject) => {
    method.call(client, request, metadata, { deadline }, (error, response) =>
      error ? reject(error) : resolve(response),
    );
  });
}

// Returns the details of a refusal: the stable reason, and the violations by field.
function details(error: ServiceError) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const all = bytes instanceof Buffer ? Status.decode(bytes).details : [];
  const named = (name: string) => all.find((it) => it.typeUrl.endsWith(`/google.rpc.${name}`))?.value;
  return {
    info: ErrorInfo.decode(named('ErrorInfo') ?? new Uint8Array()),
    badRequest: BadRequest.decode(named('BadRequest') ?? new Uint8Array()),
  };
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && 'metadata' in error;

async function read(sessions: ScreenerSessionServiceClient) {
  const values = ['scses_790', 'scses_792', 'scses_793', 'scses_none'];
  const filter = { screenerId: { eq: 'scr_124' }, id: { in: { values } } };
  // The server may lower the limit, so advance by the number of items received.
  const ids: string[] = [];
  let pages = 0;
  let total: number;
  do {
    const pagination = { limit: 2, offset: ids.length };
    const request = ListScreenerSessionsRequest.fromPartial({ filter, pagination });
    const page = await call(sessions, sessions.listScreenerSessions, request, key);
    ids.push(...page.items.map((session) => session.id));
    pages += 1;
    total = page.items.length > 0 ? (page.total ?? 0) : ids.length;
  } while (ids.length < total);
  console.log(`sessions: ${ids.join(', ')} (${total} in ${pages} pages)`);

  const request = GetScreenerSessionRequest.fromPartial({ id: 'scses_790' });
  const { screenerSession: session } = await call(sessions, sessions.getScreenerSession, request, key);
  // An unset time is undefined.
  const completed = session?.completedAt?.toISOString().replace('.000Z', 'Z');
  console.log(`session: ${session?.id}, completed at ${completed}`);
}

async function answer(panelists: PanelistServiceClient, answers: PanelistSessionServiceClient) {
  const asked = GetPanelistAccessRequest.fromPartial({ surveyId: 'survey-123', panelistId: 'customer-456' });
  const { panelistAccess } = await call(panelists, panelists.getPanelistAccess, asked, key);
  const panelist = panelistAccess!.panelist!;
  const can = panelist.canRespond ? 'can respond' : 'cannot respond';
  const active = panelist.activityStartedAt ? 'active' : 'never active';
  console.log(`panelist: customer-456 ${can}, ${active} before`);

  // The participant gets the panelist key, the only credential of these calls.
  const panelistKey = new Metadata();
  panelistKey.set('authorization', panelist.publicKey);
  const request = SubmitAnswersRequest.fromPartial({
    answers: { scq_satisfaction: { value: { $case: 'number', value: 4 } } },
    isFinal: true,
    // An id of your choice makes a repeated call idempotent.
    requestId: 'customer-456-first',
  });
  const submitted = await call(answers, answers.submitAnswers, request, panelistKey);
  const done = submitted.state === ScreenerSessionState.SCREENER_SESSION_STATE_COMPLETED;
  console.log(`answered: ${done ? 'completed' : 'in progress'}`);
}

async function reject(submissions: SubmissionServiceClient) {
  const message = 'The answers contradict each other.';
  const request = RejectSubmissionRequest.fromPartial({ projectId: 'proj_123', id: 'scses_790', message });
  const { submission } = await call(submissions, submissions.rejectSubmission, request, key);
  console.log(`rejected: ${submission?.rejection?.message}`);
  const again = await call(submissions, submissions.rejectSubmission, request, key);
  const same = isDeepStrictEqual(again.submission, submission);
  console.log(`rejected again: ${same ? 'nothing' : 'something'} changed`);
}

async function refused(sessions: ScreenerSessionServiceClient) {
  const none = GetScreenerSessionRequest.fromPartial({ id: 'scses_none' });
  try {
    await call(sessions, sessions.getScreenerSession, none, key);
  } catch (error) {
    if (!isServiceError(error) || error.code !== Code.NOT_FOUND) throw error;
    console.log(`not found: ${details(error).info.reason}`);
  }
  try {
    await call(sessions, sessions.getScreenerSession, none, new Metadata());
  } catch (error) {
    if (!isServiceError(error) || error.code !== Code.UNAUTHENTICATED) throw error;
    console.log(`no key: ${details(error).info.reason}`);
  }
  try {
    const request = ListScreenerSessionsRequest.fromPartial({ pagination: { limit: 0, offset: -1 } });
    await call(sessions, sessions.listScreenerSessions, request, key);
  } catch (error) {
    if (!isServiceError(error) || error.code !== Code.INVALID_ARGUMENT) throw error;
    for (const violation of details(error).badRequest.fieldViolations) {
      console.log(`invalid: ${violation.field}: ${violation.description}`);
    }
  }
}

async function watch(healths: HealthClient) {
  // The server ends this stream only at shutdown, so the deadline ends it.
  try {
    const stream: AsyncIterable<HealthCheckResponse> = healths.watch({ service: '' }, new Metadata(), {
      deadline: Date.now() + 2000,
    });
    for await (const health of stream) {
      const serving = health.status === HealthCheckResponse_ServingStatus.SERVING;
      console.log(`watch: ${serving ? 'serving' : 'not serving'}`);
    }
  } catch (error) {
    if (!isServiceError(error) || error.code !== Code.DEADLINE_EXCEEDED) throw error;
    console.log('deadline: exceeded');
  }
}

// Clients of one address and the same options share its connection.
const at = [process.argv[2]!, credentials.createInsecure()] as const;
const sessions = new ScreenerSessionServiceClient(...at);
await read(sessions);
await answer(new PanelistServiceClient(...at), new PanelistSessionServiceClient(...at));
await reject(new SubmissionServiceClient(...at));
await refused(sessions);
await watch(new HealthClient(...at));
