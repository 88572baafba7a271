/* Succeeds only as root: set-user-id bits must not count. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    printf("real %d, effective %d\n", (int)getuid(), (int)geteuid());
    return geteuid() == 0 ? 0 : 1;
}
