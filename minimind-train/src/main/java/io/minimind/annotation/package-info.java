/** What is said about types that the language has no word for. */
package io.minimind.annotation;
