// Makes a fresh clone ready: installs the npm packages when they are missing or older than the lock file.
// With --test it also brings the Debian packages that the tests want (as root on Debian), or names what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`miniport needs Node 20.19 or later; this is ${process.version}. See https://nodejs.org/`);
  process.exit(1);
}

const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error('Installing npm packages (first run, or package-lock.json changed) …');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error(
      '`npm ci` failed; see the messages above. Without network, copy node_modules from another clone.',
    );
    process.exit(npm.status ?? 1);
  }
}
