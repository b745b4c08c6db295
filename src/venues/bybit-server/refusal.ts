// What the venue says when it does not do as asked: Bybit's own codes and words.

/** By what is wrong. The words are Bybit's where its documentation gives them. */
export const CODES = {
  parameter: 10001,
  timestamp: 10002,
  keyUnknown: 10003,
  signature: 10004,
  tooManyVisits: 10006,
  duplicateRequest: 20006,
  orderGone: 110001,
  lacksMargin: 110007,
  overLeverage: 110013,
  reduceOnly: 110017,
  hasPosition: 110024,
  positionModeSame: 110025,
  marginModeSame: 110026,
  hasOrders: 110028,
  leverageSame: 110043,
  linkIdTaken: 110072,
  notLive: 110074,
  triggerNotRising: 110092,
  triggerNotFalling: 110093,
  belowNotional: 110094,
  priceOutOfRange: 110003,
  tooManyStops: 110009,
  tooManyOrders: 110020,
  modeMismatch: 110021,
  notNow: 110066,
  spotLacksBalance: 170131,
  spotPrice: 170134,
  spotMostQuantity: 170135,
  spotLeastQuantity: 170136,
  spotQuantity: 170137,
  spotBelowAmount: 170140,
  spotLinkIdTaken: 170141,
  spotOrderGone: 170213,
  stopsSame: 34040,
  unknownPath: 404,
} as const;

/** Thrown by whatever answers a request; its carrier makes an envelope of it. */
export class Refusal extends Error {
  readonly retCode: number;

  constructor(retCode: number, words: string) {
    super(words);
    this.name = 'Refusal';
    this.retCode = retCode;
  }
}

/** A parameter that is missing, malformed or not served. */
export function parameterError(words: string): Refusal {
  return new Refusal(CODES.parameter, words);
}
