import type { Kernel } from './kernel.ts';

// Module state, but of the kind a processor has: which kernel's code is executing. A stopped kernel is taken out of `current`, so
// that the check for "stopped" costs nothing on the hot path.
let current: Kernel | null = null;
let stopped: Kernel | null = null;

/**
 * The kernel whose processor is executing: that of the innermost {@link Kernel.enter}. Throws its BugcheckError again when it has
 * stopped, and an Error when no kernel has been entered.
 */
export function currentKernel(): Kernel {
  return current ?? noKernel();
}

function noKernel(): never {
  if (stopped !== null) stopped.throwIfStopped();
  throw new Error(
    'No kernel is executing here: call kernel.enter(() => …) around code that uses the kernel.',
  );
}

/** For Kernel alone: makes a kernel (or none) current and returns what was, to be put back. */
export function exchangeCurrentKernel(kernel: Kernel | null): Kernel | null {
  const previous = current ?? stopped;
  if (kernel !== null && kernel.stopped !== null) {
    current = null;
    stopped = kernel;
  } else {
    current = kernel;
    stopped = null;
  }
  return previous;
}
