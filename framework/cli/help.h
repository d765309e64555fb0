/* help.h: what each command says of itself. */
#ifndef TG_CLI_HELP_H
#define TG_CLI_HELP_H

/* Print the help of `command` ("version": the version; NULL or unknown: all commands). Returns the exit status. */
int tg_help(const char *command);

#endif
