import { type MDL, mmUnmapFromProcess, type UserProcess } from '../../../kernel/index.ts';

/**
 * Takes an MDL's pages out of a client's address space. A process that has ended took its mappings with it: a pin outlives its
 * process only when something else still refers to its file. PASSIVE_LEVEL.
 */
export function unmapFromClient(process: UserProcess, address: number, mdl: MDL): void {
  if (process.isTerminated && mdl.processMappings === 0) return;
  mmUnmapFromProcess(process, address, mdl);
}
