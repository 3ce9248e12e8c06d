/**
 * The PC/AT's DMA and interrupt controllers as both ends need them: the HAL, and the models of the chips. Sources: Intel 8237A and 8259A
 * data sheets; Intel 82371SB (PIIX3) datasheet, section 2.3, "ISA-compatible registers", for the ports and the page registers.
 */

/** First controller: channels 0–3, bytes; registers at consecutive ports. */
export const DMA1_PORT = 0x00;
/** Second controller: channels 4–7, words; registers at every second port. */
export const DMA2_PORT = 0xc0;
/** 80h–8Fh: page registers, and the spare ones between them. */
export const DMA_PAGE_PORT = 0x80;

/** Registers of a controller by number (8237A, figure 6, "Software command codes"): the same number read and written has two names. */
export const DMA_ADDRESS_0 = 0x0;
export const DMA_COUNT_0 = 0x1;
export const DMA_STATUS = 0x8;
export const DMA_COMMAND = 0x8;
export const DMA_REQUEST = 0x9;
export const DMA_SINGLE_MASK = 0xa;
export const DMA_MODE = 0xb;
export const DMA_CLEAR_FLIP_FLOP = 0xc;
export const DMA_TEMPORARY = 0xd;
export const DMA_MASTER_CLEAR = 0xd;
export const DMA_CLEAR_MASK = 0xe;
export const DMA_ALL_MASK = 0xf;

/** Page register of each channel, as an offset from 80h; channel 4's holds the refresh page and moves nothing. */
export const DMA_PAGE_OFFSETS: readonly number[] = [0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa];

/** Command register (8237A, "Command register"). */
export const DMA_COMMAND_MEMORY_TO_MEMORY = 0x01;
export const DMA_COMMAND_ADDRESS_HOLD = 0x02;
export const DMA_COMMAND_DISABLE = 0x04;
export const DMA_COMMAND_COMPRESSED = 0x08;
export const DMA_COMMAND_ROTATING = 0x10;
export const DMA_COMMAND_EXTENDED_WRITE = 0x20;
export const DMA_COMMAND_DREQ_LOW = 0x40;
export const DMA_COMMAND_DACK_HIGH = 0x80;

/** Mode register ("Mode register"): bits 1:0 are the channel. */
export const DMA_MODE_CHANNEL = 0x03;
export const DMA_MODE_TRANSFER = 0x0c;
export const DMA_MODE_VERIFY = 0x00;
/** To memory. */
export const DMA_MODE_WRITE = 0x04;
/** From memory. */
export const DMA_MODE_READ = 0x08;
export const DMA_MODE_AUTOINIT = 0x10;
export const DMA_MODE_DECREMENT = 0x20;
export const DMA_MODE_TYPE = 0xc0;
export const DMA_MODE_DEMAND = 0x00;
export const DMA_MODE_SINGLE = 0x40;
export const DMA_MODE_BLOCK = 0x80;
export const DMA_MODE_CASCADE = 0xc0;

/** Request and single mask registers: bits 1:0 are the channel. */
export const DMA_SET_BIT = 0x04;

/** 8259A pair: each has two ports. */
export const PIC1_PORT = 0x20;
export const PIC2_PORT = 0xa0;
/** Edge/level control registers of PCI chipsets: one bit a line, 1 = level. */
export const ELCR1_PORT = 0x4d0;
/** The master's input that the slave is wired to. */
export const PIC_CASCADE_LINE = 2;

/** ICW1 (8259A, figure 7). */
export const PIC_ICW1 = 0x10;
export const PIC_ICW1_ICW4 = 0x01;
export const PIC_ICW1_SINGLE = 0x02;
export const PIC_ICW1_LEVEL = 0x08;
/** ICW4. */
export const PIC_ICW4_8086 = 0x01;
export const PIC_ICW4_AUTO_EOI = 0x02;
export const PIC_ICW4_SPECIAL_FULLY_NESTED = 0x10;
/** OCW2: bits 7:5 say what, bits 2:0 which level. */
export const PIC_OCW2_EOI = 0x20;
export const PIC_OCW2_SPECIFIC = 0x40;
export const PIC_OCW2_ROTATE = 0x80;
/** OCW3. */
export const PIC_OCW3 = 0x08;
export const PIC_OCW3_READ_REGISTER = 0x02;
export const PIC_OCW3_READ_ISR = 0x01;
export const PIC_OCW3_POLL = 0x04;
export const PIC_OCW3_SPECIAL_MASK_ENABLE = 0x40;
export const PIC_OCW3_SPECIAL_MASK = 0x20;
