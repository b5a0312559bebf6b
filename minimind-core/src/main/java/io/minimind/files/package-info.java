/** Files that are whole or not there. */
package io.minimind.files;
