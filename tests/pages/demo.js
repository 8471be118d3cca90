// `screenerd serve --demo`, what can be done to its data over the API, and what the API then says.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const SPOT = { 'x-spot-api-key': 'acct_123', 'x-spot-api-secret': 'sk_live_abcd' };
const PANEL = { 'x-api-key': 'vtt_your_api_key' };
const SERVICE = { authorization: 'Bearer sdk_demo_acct_123' };

const started = new Set();
process.on('exit', () => {
  for (const server of started) server.kill('SIGKILL');
});

export class Demo {
  static async start(binary, ...options) {
    const arguments_ = ['serve', '--demo', '--listen', '127.0.0.1:0', ...options];
    const server = spawn(binary, arguments_, { stdio: ['ignore', 'pipe', 'ignore'] });
    started.add(server);
    let origin;
    for await (const line of createInterface({ input: server.stdout })) {
      const address = /^screenerd .* listens on (.*)$/.exec(line)?.[1];
      if (!address) continue;
      origin = `http://${address}`;
      break;
    }
    if (!origin) throw new Error('serve --demo does not say where it listens');
    server.stdout.resume();
    return Object.assign(new Demo(), { server, origin });
  }

  async stop() {
    const ended = new Promise((resolve) => this.server.once('exit', resolve));
    this.server.kill('SIGTERM');
    const code = await ended;
    started.delete(this.server);
    if (code !== 0) throw new Error(`the server ended with ${code}`);
  }

  async rest(method, path, headers) {
    const answer = await fetch(this.origin + path, { method, headers });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async rpc(name, message) {
    const headers = { ...SERVICE, 'content-type': 'application/json' };
    const body = JSON.stringify(message);
    const url = `${this.origin}/screener.v1.${name}`;
    const answer = await fetch(url, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** A screener that is open. */
  async publish(id, title, draft, more = {}) {
    await this.rpc('ScreenerService/CreateScreener', {
      id, title, draft, projectId: 'proj_123', ...more,
    });
    await this.rpc('ScreenerService/PublishScreener', { id });
  }

  /** Another publication of a screener. */
  async publishAgain(screenerId, draft) {
    await this.rpc('ScreenerService/UpdateDraft', { screenerId, draft });
    await this.rpc('ScreenerService/PublishScreener', { id: screenerId });
  }

  /** A new session, with its link. */
  async invite(screenerId, externalUid) {
    const service = 'ScreenerSessionService/CreateScreenerSession';
    return (await this.rpc(service, { screenerId, externalUid })).screenerSession;
  }

  async access(survey, panelist) {
    return this.rest('GET', `/tenant/surveys/${survey}/panelists/${panelist}`, PANEL);
  }

  /** The link of a panelist to a survey. */
  async link(survey, panelist) {
    return (await this.access(survey, panelist)).panelist.hostedResponseUrl;
  }

  async session(id) {
    return this.rest('GET', `/screener-sessions/${id}`, SPOT);
  }

  async sessionsOf(screener) {
    const filter = `filter[screenerId][eq]=${screener}&pagination[limit]=100`;
    return (await this.rest('GET', `/screener-sessions?${filter}`, SPOT)).items;
  }

  async remove(id) {
    await this.rest('DELETE', `/screener-sessions/${id}`, SPOT);
  }

  /** What a session answered, by question. */
  async answers(session) {
    const filter = `filter[screenerSessionId][in][]=${session}&pagination[limit]=100`;
    const { items } = await this.rest('GET', `/screener-responses?${filter}`, SPOT);
    return Object.fromEntries(items.map((item) => [item.screenerQuestionId, item.answer]));
  }
}
