import { TICKS_PER_SECOND } from './clock.ts';
import { irqlName } from './irql-levels.ts';
import type { TraceEvent } from './trace.ts';

/** Stop codes by their WDK names (bugcodes.h). */
export const BugcheckCode = {
  IRQL_NOT_GREATER_OR_EQUAL: 0x09,
  IRQL_NOT_LESS_OR_EQUAL: 0x0a,
  SPIN_LOCK_ALREADY_OWNED: 0x0f,
  SPIN_LOCK_NOT_OWNED: 0x10,
  THREAD_NOT_MUTEX_OWNER: 0x11,
  REFERENCE_BY_POINTER: 0x18,
  BAD_POOL_HEADER: 0x19,
  MEMORY_MANAGEMENT: 0x1a,
  KMODE_EXCEPTION_NOT_HANDLED: 0x1e,
  INCONSISTENT_IRP: 0x2a,
  NO_MORE_IRP_STACK_LOCATIONS: 0x35,
  DEVICE_REFERENCE_COUNT_NOT_ZERO: 0x36,
  SYSTEM_SERVICE_EXCEPTION: 0x3b,
  INTERRUPT_EXCEPTION_NOT_HANDLED: 0x3d,
  MULTIPLE_IRP_COMPLETE_REQUESTS: 0x44,
  CANCEL_STATE_IN_COMPLETED_IRP: 0x48,
  PFN_LIST_CORRUPT: 0x4e,
  PAGE_FAULT_IN_NONPAGED_AREA: 0x50,
  REGISTRY_ERROR: 0x51,
  PROCESS_HAS_LOCKED_PAGES: 0x76,
  UNEXPECTED_KERNEL_MODE_TRAP: 0x7f,
  PNP_DETECTED_FATAL_ERROR: 0xca,
  INVALID_WORK_QUEUE_ITEM: 0x96,
  DRIVER_POWER_STATE_FAILURE: 0x9f,
  INTERNAL_POWER_ERROR: 0xa0,
  ATTEMPTED_SWITCH_FROM_DPC: 0xb8,
  ATTEMPTED_WRITE_TO_READONLY_MEMORY: 0xbe,
  BAD_POOL_CALLER: 0xc2,
  DRIVER_VERIFIER_DETECTED_VIOLATION: 0xc4,
  DRIVER_CORRUPTED_EXPOOL: 0xc5,
  TIMER_OR_DPC_INVALID: 0xc7,
  IRQL_UNEXPECTED_VALUE: 0xc8,
  DRIVER_VERIFIER_IOMANAGER_VIOLATION: 0xc9,
  DRIVER_LEFT_LOCKED_PAGES_IN_PROCESS: 0xcb,
  DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS: 0xce,
  DRIVER_IRQL_NOT_LESS_OR_EQUAL: 0xd1,
  DRIVER_PORTION_MUST_BE_NONPAGED: 0xd3,
  WORKER_THREAD_RETURNED_AT_BAD_IRQL: 0xe1,
  MANUALLY_INITIATED_CRASH: 0xe2,
  RESOURCE_NOT_OWNED: 0xe3,
  WORKER_INVALID: 0xe4,
  THREAD_STUCK_IN_DEVICE_DRIVER: 0xea,
  HARDWARE_INTERRUPT_STORM: 0xf2,
  CLOCK_WATCHDOG_TIMEOUT: 0x101,
  WDF_VIOLATION: 0x10d,
  DRIVER_VIOLATION: 0x11b,
  DPC_WATCHDOG_VIOLATION: 0x133,
  KERNEL_SECURITY_CHECK_FAILURE: 0x139,
  THREAD_TERMINATE_HELD_MUTEX: 0x4000008a,
} as const;
export type BugcheckCode = (typeof BugcheckCode)[keyof typeof BugcheckCode];

const codeNames = new Map<number, string>(Object.entries(BugcheckCode).map(([name, code]) => [code, name]));

/** The stop code's WDK name, or `BUGCHECK_0x…` for one that is not in the list. */
export function bugcheckName(code: number): string {
  return codeNames.get(code) ?? `BUGCHECK_0x${code.toString(16).toUpperCase()}`;
}

/** What Windows shows as a blue screen: why a machine ended. */
export interface Bugcheck {
  readonly code: number;
  /** The stop code's WDK name. */
  readonly name: string;
  readonly parameters: readonly number[];
  /** What went wrong, in a sentence with the values concerned. */
  readonly text: string;
  /** Driver whose code was executing (or whose fault it is); null when none was. */
  readonly driver: string | null;
  /** The method or routine that was executing: 'IMiniportWaveRT::NewStream', 'ServiceRoutine' … */
  readonly method: string | null;
  readonly irql: number;
  /** Machine time in 100-ns ticks. */
  readonly tick: number;
  /** JavaScript stack of the fault. */
  readonly stack: string;
  /** The newest events of the trace, oldest first. */
  readonly lastEvents: readonly TraceEvent[];
  /** The exception behind it, when there was one. */
  readonly cause: unknown;
}

/** More about a bugcheck than its code: who did it, if not the code that is executing, and the exception behind it. */
export interface BugcheckDetails {
  readonly driver?: string;
  readonly method?: string;
  readonly cause?: unknown;
}

/** Thrown when a kernel stops, and by every later entry into that kernel. Other kernels in the process go on. */
export class BugcheckError extends Error {
  override readonly name = 'BugcheckError';
  readonly bugcheck: Bugcheck;

  constructor(bugcheck: Bugcheck) {
    super(
      `${bugcheck.name} (0x${bugcheck.code.toString(16).toUpperCase()}): ${bugcheck.text}`,
      bugcheck.cause === undefined ? undefined : { cause: bugcheck.cause },
    );
    this.bugcheck = bugcheck;
  }
}

/** Text of anything thrown: name and message of an Error, else the value itself. */
export function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** True for the exception that a JavaScript engine throws when its stack is exhausted. */
export function isStackOverflow(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    (thrown.message.includes('call stack') || thrown.message.includes('too much recursion'))
  );
}

/** '1.234 567 8 s' with all seven digits. */
export function formatTick(tick: number): string {
  const whole = Math.floor(tick / TICKS_PER_SECOND);
  const rest = (tick - whole * TICKS_PER_SECOND).toString().padStart(7, '0');
  return `${whole}.${rest.slice(0, 3)} ${rest.slice(3, 6)} ${rest.slice(6)} s`;
}

/** One line for an event, as reports show it. */
export function formatTraceEvent(event: TraceEvent): string {
  const phase = event.phase === 'B' ? '>' : event.phase === 'E' ? '<' : ' ';
  const irql = event.irql === null ? ' -' : event.irql.toString().padStart(2);
  const cause = event.cause === null ? '' : ` (from #${event.cause})`;
  const data =
    event.data === null
      ? ''
      : ` ${Object.entries(event.data)
          .map(([key, value]) => `${key}=${String(value)}`)
          .join(' ')}`;
  return `#${event.sequence} ${formatTick(event.tick)} irql ${irql} ${phase} ${event.source}: ${event.name}${data}${cause}`;
}

/** The report as text, for a terminal or a log; `eventCount` newest events are listed. */
export function formatBugcheck(bugcheck: Bugcheck, eventCount = 24): string {
  const hex = (value: number) => `0x${value.toString(16).toUpperCase().padStart(8, '0')}`;
  const lines = [
    `*** STOP: ${hex(bugcheck.code)} ${bugcheck.name} (${bugcheck.parameters.map(hex).join(', ')})`,
    '',
    `  ${bugcheck.text}`,
    '',
    `  driver  ${bugcheck.driver ?? '(none)'}`,
    `  method  ${bugcheck.method ?? '(none)'}`,
    `  IRQL    ${irqlName(bugcheck.irql)}`,
    `  time    ${formatTick(bugcheck.tick)} (tick ${bugcheck.tick})`,
    '',
    '  stack',
    ...bugcheck.stack
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => `    ${line}`),
  ];
  const events = bugcheck.lastEvents.slice(-eventCount);
  if (events.length > 0)
    lines.push('', `  last ${events.length} events`, ...events.map((e) => `    ${formatTraceEvent(e)}`));
  return `${lines.join('\n')}\n`;
}
