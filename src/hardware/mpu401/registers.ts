/**
 * Register map of a UART-only MPU-401 as on the Sound Blaster 16: Creative, "Sound Blaster Series Hardware Programming Guide",
 * chapter 5, "MPU-401 UART Mode"; names of the status bits from Roland's MPU-401 technical reference. Nothing here has behaviour.
 */

/** Two ports: data, and status (read) or command (write). */
export const MPU_BYTES = 2;

/** Offsets from the base, 330h or 300h on the Sound Blaster 16 (Table 5-1). The same port read and written has two names. */
export const MPU_DATA = 0;
export const MPU_STATUS = 1;
export const MPU_COMMAND = 1;

/** Status: 1 = not ready to take a data or command byte ("data receive ready", active low). */
export const MPU_STATUS_DRR = 1 << 6;
/** Status: 1 = no byte to be read ("data set ready", active low). */
export const MPU_STATUS_DSR = 1 << 7;
/** Bits without a meaning read as ones. */
export const MPU_STATUS_UNUSED = 0x3f;

/** Commands (p. 5-7). */
export const MPU_CMD_ENTER_UART = 0x3f;
export const MPU_CMD_RESET = 0xff;
/** What a command is answered with, in the data register. */
export const MPU_ACK = 0xfe;

/** One named bit field of a register. */
export interface MpuField {
  readonly name: string;
  readonly mask: number;
  readonly meaning: string;
}

/** One register in one direction, as a listing shows it and as the trace names it. */
export interface MpuRegister {
  readonly name: string;
  readonly offset: number;
  readonly access: 'RO' | 'WO';
  readonly meaning: string;
  readonly fields: readonly MpuField[];
}

export const MPU_REGISTERS: readonly MpuRegister[] = [
  {
    name: 'MPU_DATA',
    offset: MPU_DATA,
    access: 'RO',
    meaning: 'next byte received, or the acknowledgement of a command',
    fields: [],
  },
  {
    name: 'MPU_DATA',
    offset: MPU_DATA,
    access: 'WO',
    meaning: 'byte to be sent (UART mode)',
    fields: [],
  },
  {
    name: 'MPU_STATUS',
    offset: MPU_STATUS,
    access: 'RO',
    meaning: 'ready bits, active low',
    fields: [
      { name: 'DSR', mask: MPU_STATUS_DSR, meaning: '0: a byte can be read' },
      { name: 'DRR', mask: MPU_STATUS_DRR, meaning: '0: a data or command byte is taken' },
    ],
  },
  {
    name: 'MPU_COMMAND',
    offset: MPU_COMMAND,
    access: 'WO',
    meaning: 'command',
    fields: [],
  },
];

/** The commands by code, with what the interface does. Any other is ignored without an answer. */
export const MPU_COMMANDS: readonly {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}[] = [
  {
    code: MPU_CMD_ENTER_UART,
    name: 'enter UART mode',
    meaning: 'bytes pass unchanged in both directions from the acknowledgement on',
  },
  {
    code: MPU_CMD_RESET,
    name: 'reset',
    meaning: 'leaves UART mode and empties the buffers',
  },
];

/** What a value of a register means in a few words; undefined where the number says it. */
export function describeMpuValue(name: string, value: number): string | undefined {
  if (name === 'MPU_COMMAND')
    return MPU_COMMANDS.find(({ code }) => code === value)?.name ?? 'unknown command';
  if (name !== 'MPU_STATUS') return undefined;
  const input = (value & MPU_STATUS_DSR) === 0 ? 'byte waiting' : 'nothing to read';
  return `${input}, ${(value & MPU_STATUS_DRR) === 0 ? 'ready' : 'busy'}`;
}
