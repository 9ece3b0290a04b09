import type { SourceTree } from '../../src/python-image/project.ts';

export type Files = Readonly<Record<string, string>>;

/** A project in memory. */
export function tree(files: Files): SourceTree {
  return { files: Object.keys(files), read: (file) => files[file] };
}

/** What a Dockerfile does, without its comments and empty lines. */
export const commands = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n');

export const FASTAPI = `from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
def health():
    return {"status": "ok"}
`;
