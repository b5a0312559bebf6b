/** Files that are whole or not there, and what to say of those that cannot be read. */
package io.minimind.files;
