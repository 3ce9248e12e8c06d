/**
 * Registers of an MPU-401 in UART mode, as sound cards have it (Creative, "Sound Blaster Series Hardware Programming Guide", chapter
 * 5). The same port read and written has two names.
 */

/** Two ports. */
export const MPU_PORTS = 2;

/** Offset 0, read: the next byte received or the acknowledgement of a command; written: a byte to be sent. */
export const MPU_DATA = 0;
/** Offset 1, read. */
export const MPU_STATUS = 1;
/** Offset 1, written. */
export const MPU_COMMAND = 1;

/** MPU_STATUS: 0 = a byte may be written to MPU_DATA or MPU_COMMAND. */
export const MPU_STATUS_DRR = 0x40;
/** MPU_STATUS: 0 = a byte waits in MPU_DATA. */
export const MPU_STATUS_DSR = 0x80;

/** MPU_COMMAND. */
export const MPU_CMD_ENTER_UART = 0x3f;
export const MPU_CMD_RESET = 0xff;
/** What commands are answered with. */
export const MPU_ACK = 0xfe;
