import { cacheAnswers } from './cache-answers.ts';
import { type Answer, type Asked, json, serve } from './stand-in.ts';

const [port = '0', folder = '', secret = ''] = process.argv.slice(2);
const answers = cacheAnswers(folder, secret, `http://127.0.0.1:${port}`);
const garble = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => (at % 1000 === 999 ? byte ^ 1 : byte)));
const ok = (asked: Asked): Answer => answers(asked);

serve(Number(port), {
  name: ({ method, url }) => `${method} ${url.pathname.split('/').slice(0, 4).join('/')}`,
  answer: ok,
  faults: {
    unavailable: () => json(503, { code: 'unavailable', msg: 'try again' }),
    'rate-limit': () => json(429, { code: 'resource_exhausted', msg: 'slow down' }, { 'retry-after': '60' }),
    // A download that breaks off half way.
    cut: (asked) => ({ ...ok(asked), cut: true }),
    // What came over the wire is not what was saved.
    garbled: (asked) => {
      const answer = ok(asked);
      return { ...answer, ...(answer.bytes && { bytes: garble(answer.bytes) }) };
    },
  },
  settings: {},
  largestBody: 4 * 1024 ** 3,
});
