import { githubAnswers } from './github-answers.ts';
import { openIdentity } from './github-identity.ts';
import { json, serve } from './stand-in.ts';

const [port = '0', token = '', idTokenRequestToken = ''] = process.argv.slice(2);
const identity = openIdentity();
const answers = githubAnswers(token);
const documentation_url = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';
const secondary = { message: 'You have exceeded a secondary rate limit. Please wait.', documentation_url };

serve(Number(port), {
  name: ({ method, url }) => `${method} ${url.pathname}${url.search}`,
  answer(asked) {
    const { url, headers } = asked;
    if (url.pathname === '/.well-known/jwks') return json(200, identity.keys);
    if (url.pathname !== '/_lab/id-token') return answers(asked);
    if (headers.authorization !== `Bearer ${idTokenRequestToken}`) return json(401, { message: 'Unauthorized' });
    return json(200, { value: identity.token(url.searchParams.get('audience') ?? 'https://github.com/acme') });
  },
  faults: {
    'secondary-limit': () => json(403, secondary, { 'retry-after': '1' }),
    'rate-limit': () => json(429, secondary, { 'retry-after': '1' }),
    'server-error': () => json(502, { message: 'Server Error' }),
  },
  settings: { claims: (value) => identity.setClaims(value) },
});
