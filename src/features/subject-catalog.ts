// The features that live on more than the bars of one leg: on the books and rates of a subject, and on all of its legs together.
export { catchUp, premium, returnCorrelation } from './joint-catalog.ts';
export { bookPressure } from './order-flow/book-pressure.ts';
export { fundingPace, fundingPaceOf } from './funding/funding-pace.ts';
export { basketSpread, copulaPair, distanceSpread, flawWords, pairSpread } from './pairs/catalog.ts';
