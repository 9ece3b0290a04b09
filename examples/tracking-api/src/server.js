import { setTimeout as sleep } from 'node:timers/promises';
import { createApi } from './api.js';
import project from '../package.json' with { type: 'json' };

const port = Number(process.env.PORT ?? 8080);
const drainMs = Number(process.env.DRAIN_MS ?? 3000);
let ready = true;

const server = createApi({ ready: () => ready, release: process.env.RELEASE ?? project.version });
server.listen(port, () => console.log(`tracking-api listens on ${server.address().port}`));

// Traffic still arrives until every node has heard that this pod is going.
process.once('SIGTERM', async () => {
  ready = false;
  await sleep(drainMs);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
