/**
 * Codec verbs, parameters and their bits as the driver uses them (HDA specification 1.0a, §7.3.3 and §7.3.4; display audio: ECN 034-A).
 */

/* Verbs of 12 bits with 8 bits of payload. */
export const GET_PARAMETER = 0xf00;
export const GET_CONNECTION_SELECT = 0xf01;
export const GET_CONNECTION_LIST = 0xf02;
export const GET_POWER_STATE = 0xf05;
export const GET_STREAM_CHANNEL = 0xf06;
export const GET_PIN_CONTROL = 0xf07;
export const GET_PIN_SENSE = 0xf09;
export const GET_CONFIG_DEFAULT = 0xf1c;
export const GET_SUBSYSTEM_ID = 0xf20;
export const GET_DIP_SIZE = 0xf2e;
export const GET_ELD = 0xf2f;

export const SET_CONNECTION_SELECT = 0x701;
export const SET_POWER_STATE = 0x705;
export const SET_STREAM_CHANNEL = 0x706;
export const SET_PIN_CONTROL = 0x707;
export const SET_UNSOLICITED = 0x708;
export const EXECUTE_PIN_SENSE = 0x709;
export const SET_EAPD_BTL = 0x70c;
export const SET_DIGITAL_CONTROL_1 = 0x70d;
export const SET_CHANNEL_COUNT = 0x72d;
export const SET_DIP_INDEX = 0x730;
export const SET_DIP_DATA = 0x731;
export const SET_DIP_TRANSMIT = 0x732;
export const SET_CHANNEL_MAPPING = 0x734;

/* Verbs of 4 bits with 16 bits of payload. */
export const SET_FORMAT = 0x2;
export const SET_AMP = 0x3;
export const GET_FORMAT = 0xa;
export const GET_AMP = 0xb;

/* Parameters. */
export const PARAM_VENDOR_ID = 0x00;
export const PARAM_REVISION_ID = 0x02;
export const PARAM_NODE_COUNT = 0x04;
export const PARAM_FUNCTION_TYPE = 0x05;
export const PARAM_AUDIO_FUNCTION_CAPS = 0x08;
export const PARAM_WIDGET_CAPS = 0x09;
export const PARAM_PCM = 0x0a;
export const PARAM_STREAM_FORMATS = 0x0b;
export const PARAM_PIN_CAPS = 0x0c;
export const PARAM_IN_AMP_CAPS = 0x0d;
export const PARAM_CONNECTION_LIST_LENGTH = 0x0e;
export const PARAM_POWER_STATES = 0x0f;
export const PARAM_GPIO_COUNT = 0x11;
export const PARAM_OUT_AMP_CAPS = 0x12;

/* Function group type (§7.3.4.4). */
export const FUNCTION_TYPE = 0xff;
export const FUNCTION_AUDIO = 0x01;
export const FUNCTION_UNSOLICITED = 1 << 8;

/* Widget capabilities (§7.3.4.6). */
export const WCAP_STEREO = 1 << 0;
export const WCAP_IN_AMP = 1 << 1;
export const WCAP_OUT_AMP = 1 << 2;
export const WCAP_AMP_OVERRIDE = 1 << 3;
export const WCAP_FORMAT_OVERRIDE = 1 << 4;
export const WCAP_STRIPE = 1 << 5;
export const WCAP_PROCESSING = 1 << 6;
export const WCAP_UNSOLICITED = 1 << 7;
export const WCAP_CONNECTION_LIST = 1 << 8;
export const WCAP_DIGITAL = 1 << 9;
export const WCAP_POWER = 1 << 10;
export const WCAP_SWAP = 1 << 11;

/* Supported stream formats (§7.3.4.8). */
export const FORMAT_PCM = 1 << 0;
export const FORMAT_FLOAT32 = 1 << 1;
export const FORMAT_AC3 = 1 << 2;

/* Pin capabilities (§7.3.4.9). */
export const PINCAP_TRIGGER = 1 << 1;
export const PINCAP_PRESENCE = 1 << 2;
export const PINCAP_HEADPHONE = 1 << 3;
export const PINCAP_OUTPUT = 1 << 4;
export const PINCAP_INPUT = 1 << 5;
export const PINCAP_BALANCED = 1 << 6;
export const PINCAP_HDMI = 1 << 7;
export const PINCAP_EAPD = 1 << 16;
export const PINCAP_DISPLAYPORT = 1 << 24;
/** Vref settings in the pin capabilities' bits 15:8. */
export const VREF_50 = 1 << 1;
export const VREF_80 = 1 << 4;
export const VREF_100 = 1 << 5;

/* Power states (§7.3.4.12): bit n is Dn. */
export const POWER_D0 = 0;
export const POWER_D3 = 3;

/* Connection list (§7.3.3.3, §7.3.4.11). */
export const LIST_LENGTH = 0x7f;
export const LIST_LONG_FORM = 1 << 7;

/* Amplifiers: GET payload and SET payload (§7.3.3.7). */
export const AMP_GET_OUTPUT = 1 << 15;
export const AMP_GET_LEFT = 1 << 13;
export const AMP_SET_OUTPUT = 1 << 15;
export const AMP_SET_INPUT = 1 << 14;
export const AMP_SET_LEFT = 1 << 13;
export const AMP_SET_RIGHT = 1 << 12;
export const AMP_SET_INDEX_SHIFT = 8;
/** The index has 4 bits. */
export const AMP_LAST_INDEX = 15;
export const AMP_MUTE = 1 << 7;
export const AMP_GAIN = 0x7f;

/* Pin widget control (§7.3.3.13). */
export const PIN_HP_ENABLE = 1 << 7;
export const PIN_OUT_ENABLE = 1 << 6;
export const PIN_IN_ENABLE = 1 << 5;
export const PIN_VREF_50 = 1;
export const PIN_VREF_80 = 4;
export const PIN_VREF_100 = 5;

/* Unsolicited responses (§7.3.3.14) and pin sense (§7.3.3.15). */
export const UNSOLICITED_ENABLE = 1 << 7;
export const UNSOLICITED_TAG_SHIFT = 26;
export const SENSE_PRESENCE = 0x8000_0000;
export const SENSE_ELD_VALID = 0x4000_0000;

/** EAPD/BTL enable (§7.3.3.16). */
export const EAPD_EAPD = 1 << 1;

/* Digital converter control 1 (§7.3.3.9). */
export const DIGITAL_ENABLE = 1 << 0;
/** Copying is permitted. */
export const DIGITAL_COPY = 1 << 4;
export const DIGITAL_NON_AUDIO = 1 << 5;

/* Display audio. */
/** GET_DIP_SIZE payload: the ELD's size instead of an infoframe's. */
export const DIP_SIZE_ELD = 1 << 3;
export const ELD_BYTE_VALID = 0x8000_0000;
/** SET_DIP_TRANSMIT: never, and with every frame. */
export const DIP_TRANSMIT_OFF = 0x00;
export const DIP_TRANSMIT_BEST = 0xc0;

/* Configuration default (§7.3.3.31): port connectivity and default device. */
export const PORT_JACK = 0;
export const PORT_NONE = 1;
export const PORT_FIXED = 2;
export const PORT_BOTH = 3;
export const DEVICE_LINE_OUT = 0x0;
export const DEVICE_SPEAKER = 0x1;
export const DEVICE_HEADPHONE = 0x2;
export const DEVICE_CD = 0x3;
export const DEVICE_SPDIF_OUT = 0x4;
export const DEVICE_DIGITAL_OUT = 0x5;
export const DEVICE_MODEM_LINE = 0x6;
export const DEVICE_MODEM_HANDSET = 0x7;
export const DEVICE_LINE_IN = 0x8;
export const DEVICE_AUX = 0x9;
export const DEVICE_MIC = 0xa;
export const DEVICE_TELEPHONY = 0xb;
export const DEVICE_SPDIF_IN = 0xc;
export const DEVICE_DIGITAL_IN = 0xd;
export const DEVICE_RESERVED = 0xe;
export const DEVICE_OTHER = 0xf;
/** The jack's presence detection is not wired, whatever the pin can. */
export const MISC_NO_PRESENCE = 1 << 0;
