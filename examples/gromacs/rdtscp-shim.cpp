// SPDX-License-Identifier: Apache-2.0
// rdtscp-shim.cpp - some virtual machines hide the RDTSCP flag although the instruction works, and Debian's GROMACS then
// refuses to start. Preloaded into mdrun, this adds the flag to what gmx::CpuInfo::detect() found, after it has executed
// the instruction once to prove that it works. For demo and test jobs only. C++ because the function returns a C++ object:
// the layout below is that of GROMACS 2018 to 2022.
#include <csetjmp>
#include <csignal>
#include <dlfcn.h>
#include <set>
#include <string>
#include <vector>

namespace gmx
{
class CpuInfo
{
public:
    enum class Feature : int;
    struct LogicalProcessor {
        int package, core, thread;
    };
    static CpuInfo detect();

    int supportLevel, vendor;
    std::string brand;
    int family, model, stepping;
    std::set<Feature> features;
    std::vector<LogicalProcessor> processors;
};
} // namespace gmx

namespace
{
constexpr int feature_limit = 80; // more than any release has
sigjmp_buf trap;

void on_illegal(int)
{
    siglongjmp(trap, 1);
}

bool instruction_works()
{
    struct sigaction ours = {}, before = {};
    ours.sa_handler = on_illegal;
    sigaction(SIGILL, &ours, &before);
    volatile bool works = false;
    if (sigsetjmp(trap, 1) == 0) {
        unsigned processor = 0;
        __builtin_ia32_rdtscp(&processor);
        works = true;
    }
    sigaction(SIGILL, &before, nullptr);
    return works;
}

template <typename F> F next(const char *symbol)
{
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, symbol));
}
} // namespace

gmx::CpuInfo gmx::CpuInfo::detect()
{
    auto real = next<CpuInfo (*)()>("_ZN3gmx7CpuInfo6detectEv");
    auto name = next<const std::string &(*)(Feature)>("_ZN3gmx7CpuInfo13featureStringB5cxx11ENS0_7FeatureE");
    CpuInfo info = real();
    if (!name || !instruction_works())
        return info;
    for (int i = 0; i < feature_limit; i++) {
        try {
            if (name(Feature(i)) == "rdtscp")
                info.features.insert(Feature(i));
        } catch (...) { // past the last feature
            break;
        }
    }
    return info;
}
