// Takes the place of an action's bundle where only the workflow around it is tried: writes down its inputs and answers.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';

const inputs = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => {
    const input = /^INPUT_(.+)$/.exec(name)?.[1]?.toLowerCase();
    return input === undefined || value === '' || value === undefined ? [] : [[input, value]];
  }),
);
appendFileSync(process.env['STAND_IN_RECORD'], `${JSON.stringify(inputs)}\n`);

const image = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/${inputs.image}@sha256:${'a'.repeat(64)}`;
if (inputs.mode !== undefined) {
  // migrate-db: something is pending in each phase.
  answer({ risk: process.env['STAND_IN_RISK'] ?? 'none', pending: '["1_x"]', verdict: 'applied' });
} else if (inputs.cluster === undefined && inputs.bucket === undefined) {
  // What a build of a site leaves behind.
  mkdirSync('dist/.well-known', { recursive: true });
  writeFileSync('dist/.well-known/built', process.env['GITHUB_SHA'] ?? '');
  if (inputs.push === 'true' || process.env['STAND_IN_FORGED'])
    answer({ digest: image.split('@')[1], image: process.env['STAND_IN_MASKED'] ? '' : image });
} else {
  const failed = inputs.environment === process.env['STAND_IN_FAILS'];
  answer({ verdict: failed ? 'failed' : 'deployed', url: failed ? '' : `https://${inputs.environment}.example.com` });
  process.exitCode = failed ? 1 : 0;
}

function answer(outputs) {
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`);
  appendFileSync(process.env['GITHUB_OUTPUT'], lines.join(''));
}
