/**
 * Configuration space of a PCI function, header type 0 (PCI Local Bus Specification 3.0, chapter 6): offsets, bits and meanings
 * as both ends of the bus need them, the bus driver and the models of functions.
 */

/** Ports of configuration mechanism 1 (section 3.2.2.3.2). The address register takes whole dwords only. */
export const CONFIG_ADDRESS = 0xcf8;
export const CONFIG_DATA = 0xcfc;
/** CONFIG_ADDRESS: accesses to CONFIG_DATA become configuration cycles. Bits 30:24 are reserved, 23:16 bus, 15:11 device, 10:8 function. */
export const CONFIG_ADDRESS_ENABLE = 0x8000_0000;

export const PCI_CONFIG_BYTES = 256;
export const PCI_DEVICES = 32;
export const PCI_FUNCTIONS = 8;
export const PCI_BARS = 6;

/** Offsets (figure 6-1). */
export const PCI_VENDOR_ID = 0x00;
export const PCI_DEVICE_ID = 0x02;
export const PCI_COMMAND = 0x04;
export const PCI_STATUS = 0x06;
export const PCI_REVISION_ID = 0x08;
/** Programming interface, subclass, base class: three bytes. */
export const PCI_CLASS_CODE = 0x09;
export const PCI_CACHE_LINE_SIZE = 0x0c;
export const PCI_LATENCY_TIMER = 0x0d;
export const PCI_HEADER_TYPE = 0x0e;
export const PCI_BIST = 0x0f;
export const PCI_BASE_ADDRESS_0 = 0x10;
export const PCI_CARDBUS_CIS = 0x28;
export const PCI_SUBSYSTEM_VENDOR_ID = 0x2c;
export const PCI_SUBSYSTEM_ID = 0x2e;
export const PCI_ROM_ADDRESS = 0x30;
export const PCI_CAPABILITIES_POINTER = 0x34;
export const PCI_INTERRUPT_LINE = 0x3c;
export const PCI_INTERRUPT_PIN = 0x3d;
export const PCI_MIN_GNT = 0x3e;
export const PCI_MAX_LAT = 0x3f;
/** First byte that belongs to the device. */
export const PCI_DEVICE_SPECIFIC = 0x40;

/** Command register (table 6-1). */
export const PCI_COMMAND_IO = 0x0001;
export const PCI_COMMAND_MEMORY = 0x0002;
export const PCI_COMMAND_BUS_MASTER = 0x0004;
export const PCI_COMMAND_MEMORY_WRITE_INVALIDATE = 0x0010;
export const PCI_COMMAND_PARITY_ERROR_RESPONSE = 0x0040;
export const PCI_COMMAND_SERR = 0x0100;
export const PCI_COMMAND_INTERRUPT_DISABLE = 0x0400;

/** Status register (table 6-2). */
export const PCI_STATUS_INTERRUPT = 0x0008;
export const PCI_STATUS_CAPABILITIES = 0x0010;
export const PCI_STATUS_FAST_BACK_TO_BACK = 0x0080;
export const PCI_STATUS_DEVSEL_MEDIUM = 0x0200;
export const PCI_STATUS_RECEIVED_MASTER_ABORT = 0x2000;
/** Error bits that a function sets and software clears by writing ones: 15:11 and 8. */
export const PCI_STATUS_WRITE_ONE_TO_CLEAR = 0xf900;

/** Header type: layout, and "this slot holds more functions than this one". */
export const PCI_HEADER_LAYOUT_MASK = 0x7f;
export const PCI_HEADER_MULTI_FUNCTION = 0x80;
export const PCI_HEADER_LAYOUT_DEVICE = 0x00;
export const PCI_HEADER_LAYOUT_BRIDGE = 0x01;

/** Base address registers (section 6.2.5.1). */
export const PCI_BAR_IO_SPACE = 0x01;
export const PCI_BAR_IO_MASK = 0xffff_fffc;
export const PCI_BAR_MEMORY_TYPE_MASK = 0x06;
export const PCI_BAR_MEMORY_TYPE_32 = 0x00;
export const PCI_BAR_MEMORY_TYPE_1M = 0x02;
export const PCI_BAR_MEMORY_TYPE_64 = 0x04;
export const PCI_BAR_MEMORY_PREFETCHABLE = 0x08;
export const PCI_BAR_MEMORY_MASK = 0xffff_fff0;

/** Reads of a function that does not exist (section 6.1): no vendor has this number. */
export const PCI_INVALID_VENDOR_ID = 0xffff;
/** PCI_INTERRUPT_LINE: not connected (section 6.2.4). */
export const PCI_INTERRUPT_LINE_NONE = 0xff;

/** Capability ids (appendix H). */
export const PCI_CAPABILITY_ID_POWER_MANAGEMENT = 0x01;
export const PCI_CAPABILITY_ID_MSI = 0x05;
export const PCI_CAPABILITY_ID_VENDOR_SPECIFIC = 0x09;
export const PCI_CAPABILITY_ID_PCI_EXPRESS = 0x10;
