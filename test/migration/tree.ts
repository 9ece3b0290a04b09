import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findTools } from '../../src/migration/detect.ts';
import { filesOf } from '../../src/migration/files.ts';
import type { Migration } from '../../src/migration/migration.ts';
import type { Found, Tool, ToolName } from '../../src/migration/tool.ts';
import { toolNamed } from '../../src/migration/tools/tools.ts';

/** Files by path; what is no text becomes JSON. */
export type Tree = Readonly<Record<string, string | object>>;

/** Gives `use` a real temporary folder with these files; it is removed afterwards. */
export async function inTree<T>(tree: Tree, use: (workspace: string) => Promise<T>): Promise<T> {
  const workspace = await realpath(await mkdtemp(path.join(tmpdir(), 'tree-')));
  try {
    await write(workspace, tree);
    return await use(workspace);
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

export async function write(workspace: string, tree: Tree): Promise<void> {
  for (const folder of new Set(Object.keys(tree).map((file) => path.dirname(file)))) {
    await mkdir(path.join(workspace, folder), { recursive: true });
  }
  for (const [file, content] of Object.entries(tree)) {
    await writeFile(path.join(workspace, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** What is found and read of these files, where it is one set of migrations. */
export async function readTree(
  tree: Tree,
  name?: ToolName,
): Promise<{ readonly found: Found; readonly tool: Tool; readonly migrations: readonly Migration[] }> {
  return inTree(tree, async (workspace) => {
    const all = findTools(await filesOf(workspace), { directory: '', ...(name !== undefined && { tool: name }) });
    const [found] = all;
    if (found === undefined || all.length > 1) throw new Error(`found ${JSON.stringify(all)}`);
    const tool = toolNamed(found.tool);
    return { found, tool, migrations: await tool.read(found, workspace) };
  });
}
