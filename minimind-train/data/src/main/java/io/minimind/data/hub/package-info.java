/** Data sets of hubs: which files there are, and how they come here, whole and checked. */
package io.minimind.data.hub;
