import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** Compiled code of `src`, for tests that start a process of their own. */
export interface Compiled {
  /** Holds `machines/qemu/index.js` and so on. */
  readonly directory: string;
  remove(): void;
}

/** Compiles these files of `src`, and what they import, without checking types. */
export function compile(...files: readonly string[]): Compiled {
  const directory = mkdtempSync(join(tmpdir(), 'miniport-compiled-'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  const configuration = join(directory, 'tsconfig.json');
  writeFileSync(
    configuration,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.base.json'),
      compilerOptions: {
        noCheck: true,
        types: [],
        rootDir: join(ROOT, 'src'),
        outDir: directory,
      },
      files: files.map((file) => join(ROOT, 'src', file)),
    }),
  );
  const tsc = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', configuration],
    {
      encoding: 'utf8',
    },
  );
  if (tsc.status !== 0) throw new Error(`tsc failed: ${tsc.stdout}${tsc.stderr}`);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
