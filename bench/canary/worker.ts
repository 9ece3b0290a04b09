import { parentPort } from 'node:worker_threads';
import { type Task, run } from './cell.ts';

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.on('message', (task: Task) => parentPort?.postMessage(run(task)));
