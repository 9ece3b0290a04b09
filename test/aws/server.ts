import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of a {@link serving} server; `'reset'` drops the connection. */
export type Answer = 'reset' | { status: number; body: string; headers?: Record<string, string> };

export interface Asked {
  method: string;
  url: string;
  body: string;
}

/** A real loopback server that gives the answers in turn, the last one again and again, while `use` runs. */
export async function serving<T>(
  answers: readonly Answer[],
  use: (url: string, asked: readonly Asked[]) => Promise<T>,
): Promise<T> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const answer = answers[Math.min(asked.length, answers.length - 1)];
      asked.push({ method: request.method ?? '', url: request.url ?? '', body });
      if (answer === undefined || answer === 'reset') return void request.socket.destroy();
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
